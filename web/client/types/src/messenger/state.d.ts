export type Frame = {
    type: string;
    heard_at: number;
} & Record<string, any>;
export type Entry = import('../shared/outbox.js').Entry;
export type Message = {
    number: number;
    author: 'customer' | 'agent' | 'system';
    /**
     * What the workspace itself tells.
     */
    notice?: string;
    agent?: {
        title: string;
    };
    text: string;
    /**
     * Unix ms.
     */
    at: number;
    files?: readonly import('../shared/files.js').Attached[];
};
export type Conversation = {
    conversation: string;
    /**
     * `waiting`, `active` or `closed`.
     */
    state: string;
    /**
     * Its title.
     */
    queue?: string;
    place?: number;
    opens_at?: number;
    /**
     * From when it was told.
     */
    estimate?: {
        p50_ms: number;
        p90_ms: number;
    };
    agent?: {
        title: string;
    } | null;
    agent_connection?: string;
    last_number: number;
    read_by_agent: number;
    read_by_customer: number;
    opened_at?: number;
    /**
     * Unix ms.
     */
    ended_at?: number;
    /**
     * While it waits: it was left as a message.
     */
    message?: boolean;
    rating?: {
        score: number;
        at: number;
    };
};
export type Reception = {
    open: boolean;
    /**
     * Unix ms.
     */
    opens_at?: number;
    nobody_there: boolean;
    /**
     * The code with which a start would be refused.
     */
    refused?: string;
    /**
     * Then a message may be left.
     */
    message: boolean;
    estimate?: {
        p50_ms: number;
        p90_ms: number;
    };
};
export type Link = {
    /**
     * `offline`: it comes back at `retry_at`. `stopped`: not by itself, `why` says why.
     */
    phase: 'idle' | 'connecting' | 'live' | 'offline' | 'stopped';
    /**
     * On the client's clock.
     */
    retry_at?: number;
    why?: string;
};
export type MessengerState = {
    link: Link;
    /**
     * What is shown is as it was last known, and may have changed.
     */
    stale: boolean;
    /**
     * A conversation is being begun.
     */
    starting: boolean;
    conversation?: Conversation;
    /**
     * Ascending; there may be gaps until they are healed.
     */
    messages: readonly Message[];
    /**
     * The first message is among them.
     */
    begins: boolean;
    /**
     *   What is shown between messages: joined, left, requeued, moved, ended, reopened; `after` is the number of the message before it.
     */
    happened: readonly {
        event_id: number;
        type: string;
        after: number;
        at?: number;
        by?: string;
        queue?: string;
        agent?: {
            title: string;
        };
    }[];
    /**
     * What was written and is not answered: messages, and the start itself.
     */
    pending: readonly Entry[];
    /**
     * The number of the last event that was seen.
     */
    last_event: number;
    /**
     * On the client's clock.
     */
    typing_until: number;
    /**
     * While somebody is typing: what there is of the answer; mostly nothing.
     */
    draft: string;
    ignored: number;
};
/** @returns {MessengerState} */
export declare function initial(): MessengerState;
export type Step = (state: MessengerState, frame: Frame) => MessengerState;
/**
 * @param {MessengerState} state
 * @param {Frame} frame
 * @returns {MessengerState}
 */
export declare function reduce(state: MessengerState, frame: Frame): MessengerState;
/**
 * The last number before the first gap; nothing where none is.
 * @param {MessengerState} state
 * @returns {number | undefined}
 */
export declare function missing({ messages, conversation }: MessengerState): number | undefined;
/**
 * What is shown: messages, and behind them what was written and is not answered.
 * @param {MessengerState} state
 */
export declare function shown({ messages, pending }: MessengerState): {
    messages: readonly Message[];
    pending: import("../shared/outbox.js").Entry[];
};
/**
 * What is kept for after a reload.
 * @param {MessengerState} state
 * @param {number} most Of the last messages.
 */
export declare function worthKeeping({ conversation, messages, happened, last_event, begins }: MessengerState, most: number): {
    conversation: Conversation | undefined;
    messages: Message[];
    happened: readonly {
        event_id: number;
        type: string;
        after: number;
        at?: number;
        by?: string;
        queue?: string;
        agent?: {
            title: string;
        };
    }[];
    last_event: number;
    begins: boolean;
};
/**
 * The same as of another tab's clock.
 * @param {MessengerState} state
 * @param {number} ms
 * @returns {MessengerState}
 */
export declare function shifted(state: MessengerState, ms: number): MessengerState;
