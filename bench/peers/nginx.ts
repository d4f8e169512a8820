// nginx as a static file server: what an administrator would otherwise put in front of a log file. An instance
// of our own on a loopback port, which touches nothing of the one that the system may run.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort, type Service, startService } from '../command.ts'

/** A running nginx that serves the files of a directory twice: with sendfile, and without. */
export interface Nginx extends Service {
  /** Ends in a slash. */
  readonly sendfileUrl: string
  readonly copyUrl: string
}

/** Serves the files of `root`. */
export async function startNginx(root: string): Promise<Nginx> {
  const prefix = await mkdtemp(join(tmpdir(), 'annals-bench-nginx-'))
  const ports: [number, number] = [await freePort(), await freePort()]
  const file = join(prefix, 'nginx.conf')
  await writeFile(file, configuration(prefix, root, ports))
  const sendfileUrl = `http://127.0.0.1:${ports[0]}/`
  const service = await startService('/usr/sbin/nginx', ['-e', 'stderr', '-p', prefix, '-c', file], {
    isReady: () => answers(`${sendfileUrl}ready`),
  })
  return {
    pid: service.pid,
    sendfileUrl,
    copyUrl: `http://127.0.0.1:${ports[1]}/`,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await rm(prefix, { recursive: true })
    },
  }
}

// As nginx's own guide to serving static content advises (sendfile, tcp_nopush, a bounded chunk), nothing logged.
function configuration(prefix: string, root: string, [sendfile, copy]: readonly [number, number]): string {
  const server = (port: number, settings: string) => `
  server {
    listen 127.0.0.1:${port};
    root ${root};
    default_type text/plain;
    ${settings}
    location = /ready { return 204; }
  }`
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
pid ${join(prefix, 'nginx.pid')};
worker_processes auto;
${process.getuid?.() === 0 ? 'user root;' : ''}
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${join(prefix, name)};`).join('\n  ')}
  ${server(sendfile, 'sendfile on; tcp_nopush on; sendfile_max_chunk 2m;')}
  ${server(copy, 'sendfile off; output_buffers 2 1m;')}
}
`
}
