// The URL at which others reach a node: issuers, links and proof URLs are made from it, never from request headers.

import { formatListen, isLoopback, type Listen } from './listen.ts'

/** True for an http or https URL that is an origin and no more. */
export function isPublicUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false
  return url.username === '' && url.password === '' && url.href === `${url.origin}/` && !/[?#]/.test(text)
}

/** True where what such a URL names can be reached from other machines. */
export function isBeyondLoopback(publicUrl: string): boolean {
  return !isLoopback(new URL(publicUrl).hostname.replace(/^\[(.*)\]$/, '$1'))
}

/** The URL of a node that was given none: its address, or its name where it listens at every address. */
export function defaultPublicUrl(listen: Listen, hostName: string, isTls: boolean): string {
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? hostName : listen.host
  const url = `${isTls ? 'https' : 'http'}://${formatListen({ host, port: listen.port })}`
  // A machine's name need not be one that a URL can hold; that is reported as what it is.
  return URL.parse(url)?.origin ?? url
}
