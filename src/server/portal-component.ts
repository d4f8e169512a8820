// What a portal calls itself in its entries. Apart from the portal itself, so that a command that only has to know this
// loads no server.

/** The component that a portal's own entries name. */
export const portalComponent = 'Portal'
