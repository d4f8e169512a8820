// The least HTTP client there can be: one connection, one request at a time, bodies with a Content-Length. It
// exists to see the moment at which the first byte of a body arrives.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What came, and when. */
export interface Answer {
  readonly bytes: number
  /** From handing the request to the kernel to the first byte of the body. */
  readonly firstByteMs: number
}

/** A connection that is kept from request to request. */
export class HttpConnection {
  readonly #socket: Socket
  readonly #host: string

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
  }

  /** Connects to the server of an `http:` URL. */
  static async open(url: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new HttpConnection(socket, host)
  }

  /** Gets a path as `user` (name and password), and throws the body away. Throws where it is not a whole 200. */
  async get(path: string, user: string): Promise<Answer> {
    const authorization = `Basic ${Buffer.from(user).toString('base64')}`
    const request = `GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nAuthorization: ${authorization}\r\n\r\n`
    return await new Promise<Answer>((resolve, reject) => {
      const settle = (then: () => void) => {
        this.#socket.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close')
        then()
      }
      const read = readAnswer(performance.now())
      this.#socket.on('data', (chunk: Buffer) => {
        try {
          const answer = read(chunk)
          if (answer !== undefined) settle(() => resolve(answer))
        } catch (error) {
          settle(() => reject(error))
        }
      })
      this.#socket.on('error', (error) => settle(() => reject(error)))
      this.#socket.on('close', () => settle(() => reject(new Error('the server closed the connection'))))
      this.#socket.write(request)
    })
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

// Takes chunk after chunk and returns the answer with the last of them.
function readAnswer(start: number): (chunk: Buffer) => Answer | undefined {
  let head = ''
  let wanted: number | undefined
  let bytes = 0
  let firstByteMs: number | undefined
  return (chunk) => {
    let body = chunk.length
    if (wanted === undefined) {
      const before = head.length
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return undefined
      wanted = lengthOf(head.slice(0, end))
      body = before + chunk.length - (end + 4)
    }
    if (body > 0 && firstByteMs === undefined) firstByteMs = performance.now() - start
    bytes += body
    if (bytes < wanted) return undefined
    if (firstByteMs === undefined) throw new Error('the answer was empty')
    return { bytes, firstByteMs }
  }
}

function lengthOf(head: string): number {
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head.split('\r\n')[0])
  const length = /^content-length: *([0-9]+)$/im.exec(head)?.[1]
  if (length === undefined) throw new Error('no Content-Length')
  return Number(length)
}
