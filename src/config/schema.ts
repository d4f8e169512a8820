// Every setting of a node, as one JSON Schema: its type, its bounds, its default and what it is for. The flags, the
// environment variables, the file, `--help` and the reference are all made from this.

import { Type } from 'typebox'
import { isHostName } from '../entry/host-name.ts'
import { parseListen } from './listen.ts'
import { isPublicUrl } from './public-url.ts'
import { isAddressRanges } from './address-ranges.ts'
import { isTimeZone } from '../entry/time-zone.ts'

/** What the levels of the operator's log are called, from the most to the least that is said. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** What a node is. A setting with a role is for nodes of that role alone. */
export type Role = 'portal' | 'engine' | 'agora'

/** Nodes that take in events. */
const recorders: readonly Role[] = ['portal', 'engine']

/** The keys of the configuration file. Each leaf has a `description`, says what it `expects`, and names its `value`. */
export const schema = Type.Object(
  {
    data: path({
      description: 'The data directory: the audit log, its key and the accounts.',
      value: 'DIRECTORY',
      default: './annals-data',
      engineDefault: './annals-engine-data',
      agoraDefault: './annals-agora-data',
    }),
    listen: Type.Refine(
      Type.String({
        description: 'Where to listen. Port 0 takes any free one.',
        expects: 'HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080',
        value: 'HOST:PORT',
        default: '127.0.0.1:8080',
        engineDefault: '127.0.0.1:8081',
        agoraDefault: '127.0.0.1:8090',
      }),
      (text) => parseListen(text) !== undefined,
    ),
    hostName: Type.Refine(
      Type.String({
        description:
          "The name of this node. It becomes part of its log's id: a log keeps the name it began with.",
        expects: 'a host name (RFC 1123): letters, digits and inner hyphens, joined by dots',
        value: 'NAME',
        defaultText: "the machine's host name",
      }),
      isHostName,
    ),
    timeZone: Type.Refine(
      Type.String({
        description:
          'The time zone of dates and times that say none: in queries of the Audit Trail API, in syslog, and in files that ' +
          "are followed. The machine's own is not asked.",
        expects: 'an IANA name, such as Europe/Zurich',
        value: 'ZONE',
        default: 'UTC',
        role: recorders,
      }),
      isTimeZone,
    ),
    publicUrl: Type.Refine(
      Type.String({
        description:
          'The URL at which others reach this node, where that is not where it listens. Outside loopback it must be https.',
        expects: 'an http or https URL without a path, such as https://audit.example.com',
        value: 'URL',
        defaultText: 'made from `listen`',
        role: 'portal',
      }),
      isPublicUrl,
    ),
    tls: Type.Object(
      {
        certificateFile: path({
          description:
            'Serve HTTPS with the certificate chain in this file (PEM, the own certificate first).',
          value: 'FILE',
        }),
        keyFile: path({
          description: "The certificate's private key (PEM, without a passphrase).",
          value: 'FILE',
        }),
      },
      { additionalProperties: false },
    ),
    allowPlainHttpBeyondLoopback: Type.Boolean({
      description:
        'Allow HTTP without TLS at addresses that other machines can reach. Passwords then travel in the clear: ' +
        'only for a network that something else protects, such as a proxy that ends TLS.',
      default: false,
    }),
    basicAuthentication: Type.Boolean({
      description: 'Accept HTTP Basic with local accounts.',
      default: true,
      role: 'portal',
    }),
    lockout: Type.Object(
      {
        failures: Type.Integer({
          description: 'Failed logins in a row that lock an account.',
          value: 'COUNT',
          minimum: 1,
          maximum: 1000,
          default: 5,
          role: 'portal',
        }),
        minutes: Type.Integer({
          description: 'How long an account stays locked.',
          value: 'MINUTES',
          minimum: 1,
          maximum: 525_600,
          default: 15,
          role: 'portal',
        }),
      },
      { additionalProperties: false },
    ),
    adminPasswordFile: path({
      description:
        'At the first start, take the password of the account `admin` from the first line of this file, instead of making a random one.',
      value: 'FILE',
      role: 'portal',
    }),
    instanceName: Type.Refine(
      Type.String({
        description: 'The name of this instance, as its access tokens say it.',
        expects: 'letters, digits, ".", "_" and "-", at most 64',
        value: 'NAME',
        defaultText: 'the host name',
        role: 'portal',
      }),
      isPlainName,
    ),
    region: Type.Refine(
      Type.String({
        description: 'The region of this instance or gateway, as access tokens say it.',
        expects: 'letters, digits, ".", "_" and "-", at most 64',
        value: 'REGION',
        default: 'local',
        role: ['portal', 'agora'],
      }),
      isPlainName,
    ),
    accessTokenSeconds: Type.Integer({
      description: 'How long an access token is good.',
      value: 'SECONDS',
      minimum: 60,
      maximum: 86_400,
      default: 900,
      role: 'portal',
    }),
    tokenKeyDays: Type.Integer({
      description: 'After how many days the key that access tokens are signed with is replaced.',
      value: 'DAYS',
      minimum: 1,
      maximum: 3650,
      default: 90,
      role: 'portal',
    }),
    issuersFile: path({
      description:
        'Accept access tokens of the authorization servers in this file (YAML), with the scopes that it gives them. Read again at SIGHUP.',
      value: 'FILE',
      role: 'portal',
    }),
    instancesFile: path({
      description: 'The instances that the gateway serves (YAML). Read again at SIGHUP.',
      value: 'FILE',
      role: 'agora',
    }),
    trustedProxies: Type.Refine(
      Type.String({
        description:
          'Addresses of proxies whose X-Forwarded-For is believed, separated by commas. Nobody else is believed.',
        expects: 'IP addresses or CIDR ranges, such as 10.0.0.5,10.1.0.0/16',
        value: 'ADDRESSES',
        defaultText: 'none',
        role: ['portal', 'agora'],
      }),
      isAddressRanges,
    ),
    minFreeBytes: Type.Integer({
      description:
        'Refuse to record while less space than this is free for the data directory; reading goes on.',
      value: 'BYTES',
      minimum: 1024 * 1024,
      maximum: Number.MAX_SAFE_INTEGER,
      default: 64 * 1024 * 1024,
    }),
    recheckDays: Type.Integer({
      description:
        'Within how many days all that is sealed of the audit log is read and hashed again in the background; 0 switches that off.',
      value: 'DAYS',
      minimum: 0,
      maximum: 365,
      default: 7,
    }),
    logLevel: Type.Enum([...logLevels], {
      description: "How much the operator's log says (JSON, to standard error).",
      value: 'LEVEL',
      default: 'info',
    }),
    answerStallSeconds: Type.Integer({
      description: 'Cut off a client that takes longer than this over one buffer (1 MiB) of an answer.',
      value: 'SECONDS',
      minimum: 1,
      maximum: 86_400,
      default: 60,
      role: ['portal', 'agora'],
    }),
    stopTimeoutSeconds: Type.Integer({
      description:
        'How long answers that are under way may take to finish when the node stops; then they are broken off.',
      value: 'SECONDS',
      minimum: 0,
      maximum: 86_400,
      default: 30,
    }),
    engineTimeoutSeconds: Type.Integer({
      description:
        'How long an engine may take to answer, or to send the next byte of its log. Then it is unreachable.',
      value: 'SECONDS',
      minimum: 1,
      maximum: 3600,
      default: 10,
      role: 'portal',
    }),
    engineResumeSeconds: Type.Integer({
      description:
        'How long a transfer that an engine broke off is tried again, from the byte where it stopped, before the ' +
        "client's answer is broken off too.",
      value: 'SECONDS',
      minimum: 0,
      maximum: 86_400,
      default: 30,
      role: 'portal',
    }),
    portalListen: Type.Refine(
      Type.String({
        description:
          'Where to listen for the portal: TLS, for nobody else. With port 0 a free one is chosen at the first start, and kept.',
        expects: 'HOST:PORT, such as 0.0.0.0:8444 or [::]:8444',
        value: 'HOST:PORT',
        default: '0.0.0.0:0',
        role: 'engine',
      }),
      (text) => parseListen(text) !== undefined,
    ),
    advertise: Type.Refine(
      Type.String({
        description: 'Where the portal reaches this engine, where that is not where it listens for it.',
        expects: 'HOST:PORT, such as engine-01.example.com:8444',
        value: 'HOST:PORT',
        defaultText: "this machine's address on the way to the portal, and the port of `portalListen`",
        role: 'engine',
      }),
      (text) => (parseListen(text)?.port ?? 0) > 0,
    ),
    join: Type.Refine(
      Type.String({
        description:
          'The URL of the portal to join, with a token, at the first start. An engine that has joined ignores it.',
        expects: 'an http or https URL without a path, such as https://audit.example.com',
        value: 'URL',
        role: 'engine',
      }),
      isPublicUrl,
    ),
    tokenFile: path({
      description: 'The file with the token to join with, as "annals engines token" made it at the portal.',
      value: 'FILE',
      role: 'engine',
    }),
    recordSocket: path({
      description:
        'A unix socket at which programs of this machine may record over HTTP: whoever can open it needs no credentials.',
      value: 'PATH',
      defaultText: '`record.sock` in the data directory',
      role: recorders,
    }),
    syslog: Type.Object(
      {
        socket: path({
          description: 'Take in syslog at a unix datagram socket, such as `logger -u PATH` writes to.',
          value: 'PATH',
          role: recorders,
        }),
        udp: listenAt(
          'Take in syslog over UDP (RFC 5426). What there is no room for is dropped and counted.',
          5514,
        ),
        tcp: listenAt(
          'Take in syslog over TCP (RFC 6587), with octet counting or a newline behind each message.',
          5514,
        ),
        tls: listenAt("Take in syslog over TLS (RFC 5425), with this node's certificate.", 6514),
        clientCaFile: path({
          description: 'Over TLS, demand of each client a certificate of an authority in this file (PEM).',
          value: 'FILE',
          role: recorders,
        }),
        allowBeyondLoopback: Type.Boolean({
          description:
            'Take in syslog without authentication from other machines: whoever can reach the port may record.',
          default: false,
          role: recorders,
        }),
      },
      { additionalProperties: false },
    ),
    follow: Type.Array(Type.String({ minLength: 1 }), {
      description:
        'Record what is appended to files: a path, or a pattern with *, ?, ** and […]. Give it again for more.',
      value: 'PATTERN',
      expects: 'a path or a pattern, such as /var/log/app/audit*.log',
      isPath: true,
      role: recorders,
    }),
    followMappingFile: path({
      description: 'How the lines of followed files that are JSON become events (YAML).',
      value: 'FILE',
      role: recorders,
    }),
    witnessPolicyFile: path({
      description:
        "Have this log's checkpoints cosigned by the witnesses in this file that have a URL, and cosign for the logs in it (C2SP tlog-policy).",
      value: 'FILE',
      role: recorders,
    }),
  },
  { additionalProperties: false },
)

function listenAt(description: string, port: number) {
  return Type.Refine(
    Type.String({
      description,
      expects: `HOST:PORT, such as 127.0.0.1:${port}`,
      value: 'HOST:PORT',
      role: recorders,
    }),
    (text) => parseListen(text) !== undefined,
  )
}

function isPlainName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text)
}

function path(options: {
  description: string
  value: string
  default?: string
  engineDefault?: string
  agoraDefault?: string
  defaultText?: string
  role?: Role | readonly Role[]
}) {
  return Type.String({ ...options, minLength: 1, expects: 'a path', isPath: true })
}
