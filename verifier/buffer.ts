// The global `Buffer`, which the verifier's code is given in a browser: there this name is a package.

export { Buffer } from 'buffer'
