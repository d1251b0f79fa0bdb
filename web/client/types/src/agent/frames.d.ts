export type WrapUp = {
    ends: 'timed' | 'when_done';
    blocks: 'slot' | 'agent' | 'nothing';
    extensions_left: number;
};
export type ServiceClock = {
    clock: string;
    state: string;
    since?: number;
    due?: number;
};
export type Labels = {
    disposition?: string;
    tags?: string[];
    fields?: Record<string, string | number | boolean | null>;
};
export type Conversation = {
    conversation: string;
    state: string;
    channel: string;
    queue: string;
    priority: number;
    skills: {
        name: string;
        level: number;
    }[];
    customer: string;
    known: boolean;
    name: string | null;
    metadata: Record<string, string>;
    /**
     * Unix ms.
     */
    opened_at: number;
    /**
     * Unix ms.
     */
    waiting_since: number;
    last_number: number;
    read_by_agent: number;
    read_by_customer: number;
    owner: string | null;
    wrap_up?: WrapUp;
    /**
     * On the client's clock, where time ends it.
     */
    wrap_up_ends_at?: number;
    joined?: string;
    transfer_to?: string;
    paused_weight_percent?: number;
    clocks?: ServiceClock[];
    labels?: Labels;
    /**
     * As its customer rated it, while it is wrapped up.
     */
    rating?: {
        score: number;
        comment?: string;
    };
    /**
     * Its customer awaits a word.
     */
    reminded?: boolean;
    /**
     * The position that this rests on.
     */
    as_of: number;
    /**
     * It was there before the connection broke, and no page of the snapshot has told it yet.
     */
    untold?: boolean;
};
export type Offer = {
    offer: string;
    conversation: Conversation;
    /**
     * On the client's clock.
     */
    ends_at: number;
    delivered: boolean;
    /**
     * On the client's clock; until it is delivered.
     */
    deliver_by?: number;
    /**
     * On the client's clock.
     */
    auto_accept_at?: number;
    transfer?: {
        from: string;
        warm: boolean;
    };
    as_of: number;
    untold?: boolean;
};
export type Author = {
    agent: string;
} | {
    customer: string;
} | {
    system: string;
};
export type Attached = import('../shared/files.js').Attached;
export type Delivery = {
    state: 'pending' | 'sent' | 'failed' | 'delivered' | 'read';
    reason?: string;
};
export type Message = {
    number: number;
    author: Author;
    text: string;
    at: number;
    files?: readonly Attached[];
    delivery?: Delivery;
};
export type Note = {
    note: number;
    author: string | null;
    after: number;
    text: string;
    at: number;
    files?: readonly Attached[];
};
export type Thread = {
    /**
     * Ascending; there may be gaps until they are healed.
     */
    messages: readonly Message[];
    notes: readonly Note[];
    /**
     * The first message there is is among them.
     */
    begins: boolean;
    /**
     * Who (an agent's name, or empty: the customer) until when, on the client's clock.
     */
    typing: Record<string, number>;
};
export type StatusChoice = {
    name: string;
    available: boolean;
};
export type Settings = {
    statuses: StatusChoice[];
    channels: string[];
    reject_reasons: string[];
    text_bytes_max: number;
    frame_bytes_max: number;
    /**
     * Absent: the workspace takes none.
     */
    files?: import('../shared/files.js').Allowed;
};
export type WireError = import('../shared/outbox.js').WireError;
export type Command = {
    type: string;
    id: string;
} & Record<string, any>;
export type Frame = {
    type: string;
    heard_at: number;
} & Record<string, any>;
export type Reply = {
    id: string;
    position?: number;
    ok?: true;
    error?: WireError;
} & Record<string, any>;
/**
 * Whether this is a frame that we know, of the shape that it should have. Further members are of a later server's.
 * @param {any} frame
 * @returns {boolean}
 */
export declare function wellFormed(frame: any): boolean;
/** Frames of the server's that the client knows, for tests against the document. */
export declare const FRAME_TYPES: string[];
/** A deed of these waits in storage while there is no connection, and is shown as pending. */
export declare const KEPT: Set<string>;
/** These are done one after the other in a conversation: what was written goes before the close that follows it. */
export declare const IN_ORDER: Set<string>;
/** These are worth something now or never, and nobody waits for an answer. */
export declare const FLEETING: Set<string>;
