// An event as applications post it: one JSON object. This schema is what is checked, and what is published.

import { type Static, Type } from 'typebox'
import { detailNameCharacters, postedNameCharacters, postedTextCharacters } from '../limits.ts'

/** The URL under which a node publishes the schema, without its origin. */
export const eventSchemaPath = '/audit-trail/api/v2/schemas/event'

const uuid = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
const instant =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$'

const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean()])

const numbers =
  'A number is kept as the nearest IEEE 754 double (RFC 8259 section 6), and refused where it is whole and beyond ±2^53: what has to be exact belongs into a text.'

/** What is posted. Each property says in `expects` what a message about a wrong one says. */
export const PostedEvent = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        pattern: uuid,
        description:
          'The identity of the event: the same event sent again under the same id is recorded once. Made by the server where it is left out.',
        expects: 'a UUID',
      }),
    ),
    code: Type.Integer({
      minimum: 0,
      maximum: 999_999_999,
      description: 'The audit code. With the component it is looked up in the catalogue.',
      expects: 'a whole number of at most nine digits',
    }),
    component: name(
      'The part of the product that the event happened in: `Portal`, `Console`, `Infinity`, or the name of an engine. Without it, the one whose code it is, else that of the node.',
    ),
    category: name('The category. Without it, that of the catalogue.'),
    actor: Type.Optional(
      text('Who did it: an account, or a name such as `*system`. Needed where the template names nobody.'),
    ),
    message: Type.Optional(
      Type.String({
        description:
          'What happened, in words. Without it, the template of the code is filled in with `fields`; a code without a template needs it.',
        expects: 'a text',
      }),
    ),
    severity: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 7,
        description:
          'The severity of RFC 5424: 0 is an emergency, 7 for debugging. Without it 4 (warning) for a failure, else 5 (notice).',
        expects: 'a whole number from 0 to 7',
      }),
    ),
    outcome: Type.Optional(
      Type.Enum(['success', 'failure', 'unknown'], {
        description: 'How it ended.',
        expects: 'success, failure or unknown',
      }),
    ),
    sourceAddress: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'The IP address from which the actor acted.',
        expects: 'an IP address',
      }),
    ),
    session: Type.Optional(text('The session in which it happened.')),
    target: Type.Optional(text('What was acted upon.')),
    occurred: Type.Optional(
      Type.String({
        pattern: instant,
        description:
          'When it happened, where that is not now (RFC 3339). What is finer than a microsecond is cut off; what lies before 1685 or after 2254 may be refused.',
        expects: 'a date and time with an offset, such as 2026-01-31T12:00:00.123456Z',
      }),
    ),
    fields: Type.Optional(
      Type.Record(Type.String(), Scalar, {
        description: `What the placeholders of the code's template stand for, under the identifiers that the catalogue states. \`account\` is the actor and \`sessionId\` the session where they are left out. ${numbers}`,
        expects: "an object of texts, numbers and booleans, under the names of the template's placeholders",
      }),
    ),
    details: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: `Anything else. What is nested is flattened: \`{"disk": {"sizes": [1, 2]}}\` becomes \`disk.sizes.0\` and \`disk.sizes.1\`. A name that this makes has at most ${detailNameCharacters} letters, digits, dots, hyphens and underscores, and none comes twice. ${numbers}`,
        expects: 'an object',
      }),
    ),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'An audit event',
    description:
      'One event to be recorded in an audit log of Annals. Of members with the same name the last one counts (RFC 8259 section 4).',
    additionalProperties: false,
  },
)

/** An event as it is posted. */
export type PostedEvent = Static<typeof PostedEvent>

// It stands in the message's header, where `|` and `]` end it.
function name(description: string) {
  return Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: postedNameCharacters,
      pattern: '^[^|\\]]*$',
      description,
      expects: `1 to ${postedNameCharacters} characters without "|" and "]"`,
    }),
  )
}

function text(description: string) {
  return Type.String({
    minLength: 1,
    maxLength: postedTextCharacters,
    description,
    expects: `1 to ${postedTextCharacters} characters`,
  })
}
