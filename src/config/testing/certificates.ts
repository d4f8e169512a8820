// Two certificates for localhost with their keys, made for tests by
// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 36500
// -addext subjectAltName=DNS:localhost,IP:127.0.0.1`. They protect nothing.

/** A certificate and its key, PEM. */
export interface TestCertificate {
  readonly certificate: string
  readonly key: string
}

/** One of the two. */
export const one: TestCertificate = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUUbo84RtEimgoQQYyYcaDMbdsvB8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDAyNDEzOVoYDzIxMjYxMDMx
MDI0MTM5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASqhysVcIXm13HZudamI1HYznbi7I606Yyus3Zwa5hLz04dOoNUR+Fj
d6mI44BhyUuF2YE7qIQ1fOwskfUkK8FVo28wbTAdBgNVHQ4EFgQUBG22XuSPIqJg
oOx9jd1/B2f64KMwHwYDVR0jBBgwFoAUBG22XuSPIqJgoOx9jd1/B2f64KMwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhALGPdP2GardeqNQfsS+7evSPBXU4sKR26YzwA1nhROMEAiEA
6yu0B8G2A2zcdslAFZ7Qb+wUdhMPLFulonUuqXHDHhg=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDHqZvXHGT1w2I0xC
rC9Y898Ex4M+A2kOVLod92uNhOuhRANCAASqhysVcIXm13HZudamI1HYznbi7I60
6Yyus3Zwa5hLz04dOoNUR+Fjd6mI44BhyUuF2YE7qIQ1fOwskfUkK8FV
-----END PRIVATE KEY-----
`,
}

/** Other of the two. */
export const other: TestCertificate = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUQ//OZ57NuZ1oG8bAQWpWzb3EjrEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDAyNDEzOVoYDzIxMjYxMDMx
MDI0MTM5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARtVj7CfK/HdrlmcGV5DWmYoR4+kMbmOzlAwfQjDHAvgBxnbsgg+xqk
xfTgoT4ZcQPlnCWPAkc8snBCWpGd9PA1o28wbTAdBgNVHQ4EFgQU26sYzYMgqiRL
xBLx2+Y6FYr/JdIwHwYDVR0jBBgwFoAU26sYzYMgqiRLxBLx2+Y6FYr/JdIwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgO0KKHeekwLVkLySQI6fGexp7pMNrhNz+JYjsCW8mso8CIQDM
ZlUyIhTz1qS5SjI6BZdLdwGod/fgwwVa7eDRfwmRTA==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZMWk4kNqugg/o+JY
xu6QUDXh8Td1I4lGpaDYLXrYAE+hRANCAARtVj7CfK/HdrlmcGV5DWmYoR4+kMbm
OzlAwfQjDHAvgBxnbsgg+xqkxfTgoT4ZcQPlnCWPAkc8snBCWpGd9PA1
-----END PRIVATE KEY-----
`,
}
