// The reference of the configuration, made from its schema.

import { settings } from './setting.ts'

/** The Markdown of `docs/reference/configuration.md`. */
export function configurationReference(): string {
  return `${head}${settings.map((setting) => section(setting)).join('\n')}`
}

const head = `# Configuration

Flags come before the environment, that before the file (\`--config FILE\` or \`ANNALS_CONFIG\`, YAML), and that before the
defaults. Unknown keys and wrong values are reported all at once, and the exit code is 2. Secrets are given in files only.
A relative path in the file is relative to the file, everywhere else to the working directory. Switches are \`on\` or \`off\`.

\`\`\`yaml
# annals.yaml
data: /var/lib/annals
listen: 0.0.0.0:8443
timeZone: Europe/Zurich
tls:
  certificateFile: /etc/annals/portal.crt
  keyFile: /etc/annals/portal.key
\`\`\`

`

function section({
  key,
  flag,
  value,
  variable,
  description,
  expects,
  defaultText,
  engineDefault,
  agoraDefault,
  roles,
}: (typeof settings)[number]): string {
  const rows = [
    `## \`${key}\``,
    '',
    description,
    '',
    '| | |',
    '|---|---|',
    `| flag | \`${flag} ${value.replaceAll('|', '\\|')}\` |`,
    `| environment | \`${variable}\` |`,
    `| expected | ${expects} |`,
    `| default | ${coded(defaultText)}${ofRole('an engine', engineDefault)}${ofRole('a gateway', agoraDefault)} |`,
    ...(roles === undefined ? [] : [`| only for | ${roles.map((role) => nodes[role]).join(', ')} |`]),
    '',
  ]
  return rows.join('\n')
}

const nodes = { portal: 'portals', engine: 'engines', agora: 'gateways' } as const

// A default in words stands as it is.
function coded(text: string): string {
  return text.includes(' ') ? text : `\`${text}\``
}

function ofRole(whose: string, text: string | undefined): string {
  return text === undefined ? '' : `; for ${whose} \`${text}\``
}
