// The audit codes as types. Generated from the server's catalogue: do not change it here (npm run docs).

import type { FieldValue } from './event.ts'

interface Worded {
  readonly actor: string
  readonly message: string
}

/** What an event of each code says, besides what any event may. */
export interface Catalogue {
  /** Engine is up and running */
  10001: {
    readonly component?: string
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Engine stopped with error */
  10002: {
    readonly component?: string
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Engine stopped gracefully */
  10003: {
    readonly component?: string
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Engine stopped forcefully */
  10004: {
    readonly component?: string
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Database created */
  10005: {
    readonly component?: string
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Finder user logged in */
  10006: {
    readonly component?: string
    readonly actor: string
    readonly fields: {
      readonly milliseconds: FieldValue
    }
  }
  /** Finder user logged out */
  10007: {
    readonly component?: string
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Finder user login attempt */
  10008: {
    readonly component?: string
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Finder account created */
  10009: {
    readonly component?: string
    readonly actor?: string
    readonly fields: {
      readonly createdAccount: FieldValue
    }
  }
  /** Finder account deleted */
  10010: {
    readonly component?: string
    readonly actor?: string
    readonly fields: {
      readonly deletedAccount: FieldValue
    }
  }
  /** Finder account updated */
  10011: {
    readonly component?: string
    readonly actor?: string
    readonly fields: {
      readonly updatedAccount: FieldValue
    }
  }
  /** Finder account password changed */
  10012: {
    readonly component?: string
    readonly actor?: string
    readonly fields: {
      readonly changedAccount: FieldValue
    }
  }
  /** Global alert created */
  10017: {
    readonly component?: string
    readonly actor?: string
    readonly fields: {
      readonly alertName: FieldValue
    }
  }
  /** Global alert deleted */
  10018: {
    readonly component?: string
    readonly actor?: string
    readonly fields: {
      readonly alertName: FieldValue
    }
  }
  /** Global alert updated */
  10019: {
    readonly component?: string
    readonly actor?: string
    readonly fields: {
      readonly alertName: FieldValue
    }
  }
  /** LDAP synchronization request */
  10026: {
    readonly component?: string
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Object manually tagged */
  10028: {
    readonly component?: string
    readonly actor: string
    readonly fields: {
      readonly objectType: FieldValue
      readonly objectName: FieldValue
    }
  }
  /** Binary filtering rule (storage policy) updated */
  10029: Worded & { readonly component?: string }
  /** Portal is starting */
  20001: {
    readonly component?: 'Portal'
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Portal is up and running */
  20002: {
    readonly component?: 'Portal'
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Portal is stopped */
  20004: {
    readonly component?: 'Portal'
    readonly actor?: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** User logged in */
  20101: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields?: {
      readonly account?: FieldValue
      readonly sessionId?: FieldValue
    }
  }
  /** User logged out */
  20102: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields?: {
      readonly account?: FieldValue
      readonly sessionId?: FieldValue
    }
  }
  /** User login failed */
  20103: {
    readonly component?: 'Portal'
    readonly actor?: string
    readonly fields: {
      readonly account: FieldValue
      readonly reason: FieldValue
    }
  }
  /** User locked */
  20104: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields?: {
      readonly account?: FieldValue
    }
  }
  /** User created */
  20201: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly createdAccount: FieldValue
    }
  }
  /** User removed */
  20202: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly deletedAccount: FieldValue
    }
  }
  /** User updated */
  20203: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly updatedAccount: FieldValue
    }
  }
  /** User profile updated */
  20204: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly n: FieldValue
    }
  }
  /** User domain ownership updated */
  20205: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly account?: FieldValue
      readonly n: FieldValue
    }
  }
  /** Role added */
  20206: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
    }
  }
  /** Role updated */
  20207: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
    }
  }
  /** Role removed */
  20208: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
    }
  }
  /** Profile added (with roles) */
  20209: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
      readonly rolesNames: FieldValue
    }
  }
  /** Profile updated (with roles) */
  20210: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
      readonly rolesNames: FieldValue
    }
  }
  /** Profile removed */
  20211: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
    }
  }
  /** Hierarchy added */
  20501: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
    }
  }
  /** Hierarchy removed */
  20502: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
    }
  }
  /** Hierarchy updated */
  20503: {
    readonly component?: 'Portal'
    readonly actor: string
    readonly fields: {
      readonly name: FieldValue
    }
  }
  /** Definition of entities updated */
  20504: Worded & { readonly component?: 'Portal' }
  /** Collector assignment updated */
  20505: Worded & { readonly component?: 'Portal' }
  /** Engine added */
  20701: Worded & { readonly component?: 'Portal' }
  /** Engine removed */
  20702: Worded & { readonly component?: 'Portal' }
  /** Engine connected */
  20703: Worded & { readonly component?: 'Portal' }
  /** Engine disconnected */
  20704: Worded & { readonly component?: 'Portal' }
  /** Finder user logged in */
  20801: Worded & { readonly component?: 'Portal' }
  /** Finder user login failed */
  20803: Worded & { readonly component?: 'Portal' }
  /** Library pack import request (only issued for big packs) */
  20804: Worded & { readonly component?: 'Portal' }
  /** Remote action updated */
  20901: Worded & { readonly component?: 'Portal' }
  /** Remote action created */
  20902: Worded & { readonly component?: 'Portal' }
  /** Remote action deleted */
  20903: Worded & { readonly component?: 'Portal' }
  /** Metric updated */
  20911: Worded & { readonly component?: 'Portal' }
  /** Metric created */
  20912: Worded & { readonly component?: 'Portal' }
  /** Metric deleted */
  20913: Worded & { readonly component?: 'Portal' }
  /** Service updated */
  20921: Worded & { readonly component?: 'Portal' }
  /** Service created */
  20922: Worded & { readonly component?: 'Portal' }
  /** Service deleted */
  20923: Worded & { readonly component?: 'Portal' }
  /** Campaign updated */
  20931: Worded & { readonly component?: 'Portal' }
  /** Campaign created */
  20932: Worded & { readonly component?: 'Portal' }
  /** Campaign deleted */
  20933: Worded & { readonly component?: 'Portal' }
  /** Category updated */
  20941: Worded & { readonly component?: 'Portal' }
  /** Category created */
  20942: Worded & { readonly component?: 'Portal' }
  /** Category deleted */
  20943: Worded & { readonly component?: 'Portal' }
  /** Manual execution of a remote action through the Finder */
  21001: Worded & { readonly component?: 'Portal' }
  /** External execution of a remote action through the API */
  21002: Worded & { readonly component?: 'Portal' }
  /** External execution of a remote action through the API v2 */
  21003: Worded & { readonly component?: 'Portal' }
  /** (description cut after 'M' in every stored capture) */
  21101: Worded & { readonly component?: 'Portal' }
  /** User logged in */
  50000: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** User login failed */
  50001: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** User logged out */
  50002: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** User logged out */
  50003: Worded & { readonly component?: 'Console' }
  /** Web Console password updated */
  51000: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Portal remote management account password updated */
  51010: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Portal remote management account enabled */
  51011: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Portal remote management account disabled */
  51012: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** SSH Nexthink account password updated */
  51020: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** SSH Nexthink account enabled */
  51021: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** SSH Nexthink account disabled */
  51022: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Appliance hostname updated */
  51100: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Appliance static route updated */
  51101: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Appliance static route deleted */
  51102: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Appliance DNS server updated */
  51103: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Appliance default gateway updated */
  51104: {
    readonly component?: 'Console'
    readonly actor: string
    readonly fields?: Readonly<Record<string, never>>
  }
  /** Appliance Chrony servers updated */
  51106: Worded & { readonly component?: 'Console' }
  /** Appliance Chrony service enabled */
  51107: Worded & { readonly component?: 'Console' }
  /** Appliance Chrony service disabled */
  51108: Worded & { readonly component?: 'Console' }
  /** Appliance network interface updated */
  51109: Worded & { readonly component?: 'Console' }
  /** rsyslog service restarted */
  51111: Worded & { readonly component?: 'Console' }
  /** crond service restarted */
  51112: Worded & { readonly component?: 'Console' }
  /** STIG compliance enabled */
  51200: Worded & { readonly component?: 'Console' }
  /** STIG compliance disabled */
  51201: Worded & { readonly component?: 'Console' }
  /** New federated appliance added */
  51300: Worded & { readonly component?: 'Console' }
  /** Edited federated appliance */
  51301: Worded & { readonly component?: 'Console' }
  /** Federated appliance deleted */
  51302: Worded & { readonly component?: 'Console' }
  /** External backup parameters saved */
  51400: Worded & { readonly component?: 'Console' }
  /** Automatic updates enabled / disabled */
  51603: Worded & { readonly component?: 'Console' }
  /** Updates email recipient updated */
  51609: Worded & { readonly component?: 'Console' }
  /** Check for updates triggered */
  51610: Worded & { readonly component?: 'Console' }
  /** Start updates triggered */
  51611: Worded & { readonly component?: 'Console' }
  /** Appliance reboot triggered */
  51800: Worded & { readonly component?: 'Console' }
  /** Portal parameters updated */
  52000: Worded & { readonly component?: 'Console' }
  /** Engine name updated */
  52001: Worded & { readonly component?: 'Console' }
  /** Maximum stored events updated */
  52007: Worded & { readonly component?: 'Console' }
  /** Portal server address updated */
  52010: Worded & { readonly component?: 'Console' }
  /** Aggregation policy updated */
  52011: Worded & { readonly component?: 'Console' }
  /** Domain compression updated */
  52012: Worded & { readonly component?: 'Console' }
  /** Engine stopped */
  52090: Worded & { readonly component?: 'Console' }
  /** Engine started */
  52091: Worded & { readonly component?: 'Console' }
  /** Internal network removed */
  52100: Worded & { readonly component?: 'Console' }
  /** Engine internal domains configuration updated */
  52105: Worded & { readonly component?: 'Console' }
  /** Active directory added */
  52200: Worded & { readonly component?: 'Console' }
  /** Active directory removed */
  52201: Worded & { readonly component?: 'Console' }
  /** Engine Mobile Bridge parameters updated */
  52550: Worded & { readonly component?: 'Console' }
  /** Portal stopped */
  53090: Worded & { readonly component?: 'Console' }
  /** Portal started */
  53091: Worded & { readonly component?: 'Console' }
  /** LLM started */
  53092: Worded & { readonly component?: 'Console' }
  /** LLM stopped */
  53093: Worded & { readonly component?: 'Console' }
  /** User login */
  90211: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly userId: FieldValue
      readonly userName: FieldValue
      readonly sessionId?: FieldValue
      readonly userIpAddress: FieldValue
    }
  }
  /** User logout (only manual logouts are audited) */
  90212: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly userId: FieldValue
      readonly userName: FieldValue
      readonly sessionId?: FieldValue
    }
  }
  /** User failed login attempt */
  90213: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly userId: FieldValue
      readonly userName: FieldValue
    }
  }
  /** User is locked */
  90214: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly arg0: FieldValue
    }
  }
  /** User update */
  91011: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly userUid: FieldValue
      readonly userName: FieldValue
    }
  }
  /** User creation */
  91012: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly userUid: FieldValue
      readonly userName: FieldValue
    }
  }
  /** User deletion */
  91013: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly userUid: FieldValue
      readonly userName: FieldValue
    }
  }
  /** User update */
  91014: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly userId: FieldValue
      readonly userName: FieldValue
    }
  }
  /** Role update */
  91021: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly arg0: FieldValue
      readonly arg1: FieldValue
      readonly arg2: FieldValue
      readonly arg3: FieldValue
    }
  }
  /** Role creation */
  91022: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly arg0: FieldValue
      readonly arg1: FieldValue
      readonly arg2: FieldValue
    }
  }
  /** Role deletion */
  91023: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly roleUid: FieldValue
      readonly roleName: FieldValue
    }
  }
  /** API credentials update */
  91031: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly apiCredentialsUid: FieldValue
      readonly apiCredentialsName: FieldValue
    }
  }
  /** API credentials creation */
  91032: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly apiCredentialsUid: FieldValue
      readonly apiCredentialsName: FieldValue
    }
  }
  /** API credentials deletion */
  91033: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly apiCredentialsUid: FieldValue
      readonly apiCredentialsName: FieldValue
    }
  }
  /** Support access granted */
  91041: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly arg0: FieldValue
      readonly arg1: FieldValue
      readonly arg2: FieldValue
      readonly arg3: FieldValue
    }
  }
  /** Support access updated */
  91042: Worded & { readonly component?: 'Infinity' }
  /** Access granted */
  91181: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly contentUid: FieldValue
      readonly contentName: FieldValue
      readonly roleUid: FieldValue
      readonly roleName: FieldValue
      readonly typeOfPermissionGranted: FieldValue
    }
  }
  /** Access update */
  91182: Worded & { readonly component?: 'Infinity' }
  /** Access revoke */
  91183: Worded & { readonly component?: 'Infinity' }
  /** Remote action update */
  92011: Worded & { readonly component?: 'Infinity' }
  /** Remote action creation */
  92012: Worded & { readonly component?: 'Infinity' }
  /** Remote action deletion */
  92013: Worded & { readonly component?: 'Infinity' }
  /** Checklist update */
  92021: Worded & { readonly component?: 'Infinity' }
  /** Checklist creation */
  92022: Worded & { readonly component?: 'Infinity' }
  /** Checklist deletion */
  92023: Worded & { readonly component?: 'Infinity' }
  /** Campaign update */
  92031: Worded & { readonly component?: 'Infinity' }
  /** Campaign creation */
  92032: Worded & { readonly component?: 'Infinity' }
  /** Campaign deletion */
  92033: Worded & { readonly component?: 'Infinity' }
  /** Dashboard update */
  92041: Worded & { readonly component?: 'Infinity' }
  /** Dashboard creation */
  92042: Worded & { readonly component?: 'Infinity' }
  /** Dashboard deletion */
  92043: Worded & { readonly component?: 'Infinity' }
  /** Monitor update */
  92051: Worded & { readonly component?: 'Infinity' }
  /** Monitor creation */
  92052: Worded & { readonly component?: 'Infinity' }
  /** Monitor deletion */
  92053: Worded & { readonly component?: 'Infinity' }
  /** Manual execution of a remote action from the web UI */
  94011: {
    readonly component?: 'Infinity'
    readonly actor: string
    readonly fields: {
      readonly sourceWhereRemoteActionIsTriggered: FieldValue
      readonly remoteActionUid: FieldValue
      readonly remoteAction: FieldValue
      readonly n: FieldValue
      readonly devicesUids: FieldValue
    }
  }
}

/** The component of each code that is not an engine's. */
export const componentOfCode: Readonly<Record<number, string>> = {
  20001: 'Portal',
  20002: 'Portal',
  20004: 'Portal',
  20101: 'Portal',
  20102: 'Portal',
  20103: 'Portal',
  20104: 'Portal',
  20201: 'Portal',
  20202: 'Portal',
  20203: 'Portal',
  20204: 'Portal',
  20205: 'Portal',
  20206: 'Portal',
  20207: 'Portal',
  20208: 'Portal',
  20209: 'Portal',
  20210: 'Portal',
  20211: 'Portal',
  20501: 'Portal',
  20502: 'Portal',
  20503: 'Portal',
  20504: 'Portal',
  20505: 'Portal',
  20701: 'Portal',
  20702: 'Portal',
  20703: 'Portal',
  20704: 'Portal',
  20801: 'Portal',
  20803: 'Portal',
  20804: 'Portal',
  20901: 'Portal',
  20902: 'Portal',
  20903: 'Portal',
  20911: 'Portal',
  20912: 'Portal',
  20913: 'Portal',
  20921: 'Portal',
  20922: 'Portal',
  20923: 'Portal',
  20931: 'Portal',
  20932: 'Portal',
  20933: 'Portal',
  20941: 'Portal',
  20942: 'Portal',
  20943: 'Portal',
  21001: 'Portal',
  21002: 'Portal',
  21003: 'Portal',
  21101: 'Portal',
  50000: 'Console',
  50001: 'Console',
  50002: 'Console',
  50003: 'Console',
  51000: 'Console',
  51010: 'Console',
  51011: 'Console',
  51012: 'Console',
  51020: 'Console',
  51021: 'Console',
  51022: 'Console',
  51100: 'Console',
  51101: 'Console',
  51102: 'Console',
  51103: 'Console',
  51104: 'Console',
  51106: 'Console',
  51107: 'Console',
  51108: 'Console',
  51109: 'Console',
  51111: 'Console',
  51112: 'Console',
  51200: 'Console',
  51201: 'Console',
  51300: 'Console',
  51301: 'Console',
  51302: 'Console',
  51400: 'Console',
  51603: 'Console',
  51609: 'Console',
  51610: 'Console',
  51611: 'Console',
  51800: 'Console',
  52000: 'Console',
  52001: 'Console',
  52007: 'Console',
  52010: 'Console',
  52011: 'Console',
  52012: 'Console',
  52090: 'Console',
  52091: 'Console',
  52100: 'Console',
  52105: 'Console',
  52200: 'Console',
  52201: 'Console',
  52550: 'Console',
  53090: 'Console',
  53091: 'Console',
  53092: 'Console',
  53093: 'Console',
  90211: 'Infinity',
  90212: 'Infinity',
  90213: 'Infinity',
  90214: 'Infinity',
  91011: 'Infinity',
  91012: 'Infinity',
  91013: 'Infinity',
  91014: 'Infinity',
  91021: 'Infinity',
  91022: 'Infinity',
  91023: 'Infinity',
  91031: 'Infinity',
  91032: 'Infinity',
  91033: 'Infinity',
  91041: 'Infinity',
  91042: 'Infinity',
  91181: 'Infinity',
  91182: 'Infinity',
  91183: 'Infinity',
  92011: 'Infinity',
  92012: 'Infinity',
  92013: 'Infinity',
  92021: 'Infinity',
  92022: 'Infinity',
  92023: 'Infinity',
  92031: 'Infinity',
  92032: 'Infinity',
  92033: 'Infinity',
  92041: 'Infinity',
  92042: 'Infinity',
  92043: 'Infinity',
  92051: 'Infinity',
  92052: 'Infinity',
  92053: 'Infinity',
  94011: 'Infinity',
}

/** The codes that have a template, so that an event of theirs needs no message. */
export const isTemplated: Readonly<Record<number, true>> = {
  10001: true,
  10002: true,
  10003: true,
  10004: true,
  10005: true,
  10006: true,
  10007: true,
  10008: true,
  10009: true,
  10010: true,
  10011: true,
  10012: true,
  10017: true,
  10018: true,
  10019: true,
  10026: true,
  10028: true,
  20001: true,
  20002: true,
  20004: true,
  20101: true,
  20102: true,
  20103: true,
  20104: true,
  20201: true,
  20202: true,
  20203: true,
  20204: true,
  20205: true,
  20206: true,
  20207: true,
  20208: true,
  20209: true,
  20210: true,
  20211: true,
  20501: true,
  20502: true,
  20503: true,
  50000: true,
  50001: true,
  50002: true,
  51000: true,
  51010: true,
  51011: true,
  51012: true,
  51020: true,
  51021: true,
  51022: true,
  51100: true,
  51101: true,
  51102: true,
  51103: true,
  51104: true,
  90211: true,
  90212: true,
  90213: true,
  90214: true,
  91011: true,
  91012: true,
  91013: true,
  91014: true,
  91021: true,
  91022: true,
  91023: true,
  91031: true,
  91032: true,
  91033: true,
  91041: true,
  91181: true,
  94011: true,
}
