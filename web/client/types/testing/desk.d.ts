import { Files } from './files.js';
export type Attached = import('./files.js').Attached;
export type Message = {
    number: number;
    author: {
        agent: string;
    } | {
        customer: string;
    };
    text: string;
    at: number;
    files?: Attached[];
};
export type Event = {
    id: number;
    event: string;
    data: Record<string, unknown>;
};
export type Conversation = {
    id: string;
    state: 'waiting' | 'offered' | 'active' | 'closed';
    customer: string;
    name: string | null;
    metadata: Record<string, string>;
    owner: string | null;
    messages: Message[];
    events: Event[];
    notes: {
        note: number;
        author: string;
        after: number;
        text: string;
        at: number;
    }[];
    read_by_agent: number;
    read_by_customer: number;
    rejected_by: Set<string>;
    rating?: {
        score: number;
        comment?: string;
        at: number;
    };
};
export type Offer = {
    id: string;
    conversation: Conversation;
    agent: string;
    delivered: boolean;
};
export type Agent = {
    status: string;
    available: boolean;
    channels: string[];
};
export type Told = {
    agent: (agent: string, frame: Record<string, unknown>) => void;
    customer: (conversation: Conversation, event: {
        id?: number;
        event: string;
        data: Record<string, unknown>;
    }) => void;
};
/**
 * @typedef {import('./files.js').Attached} Attached
 * @typedef {{ number: number, author: { agent: string } | { customer: string }, text: string, at: number, files?: Attached[] }} Message
 * @typedef {{ id: number, event: string, data: Record<string, unknown> }} Event
 *
 * @typedef {object} Conversation
 * @property {string} id
 * @property {'waiting' | 'offered' | 'active' | 'closed'} state
 * @property {string} customer
 * @property {string | null} name
 * @property {Record<string, string>} metadata
 * @property {string | null} owner
 * @property {Message[]} messages
 * @property {Event[]} events
 * @property {{ note: number, author: string, after: number, text: string, at: number }[]} notes
 * @property {number} read_by_agent
 * @property {number} read_by_customer
 * @property {Set<string>} rejected_by
 * @property {{ score: number, comment?: string, at: number }} [rating]
 *
 * @typedef {{ id: string, conversation: Conversation, agent: string, delivered: boolean }} Offer
 * @typedef {{ status: string, available: boolean, channels: string[] }} Agent
 *
 * @typedef {object} Told Where the desk says what happened.
 * @property {(agent: string, frame: Record<string, unknown>) => void} agent
 * @property {(conversation: Conversation, event: { id?: number, event: string, data: Record<string, unknown> }) => void} customer
 */
export declare const OFFER_MS = 30000;
export declare class Desk {
    told: Told;
    position: number;
    /** @type {Map<string, Agent>} */
    agents: Map<string, Agent>;
    /** @type {Map<string, Conversation>} */
    conversations: Map<string, Conversation>;
    /** @type {Map<string, Offer>} */
    offers: Map<string, Offer>;
    /** @type {Map<string, { body: string, outcome: any }>} */
    outcomes: Map<string, {
        body: string;
        outcome: any;
    }>;
    files: Files;
    made: number;
    /** @param {Told} told */
    constructor(told: Told);
    /** @param {string} name */
    agent(name: string): Agent;
    /**
     * Does it once for each id.
     * @template T
     * @param {string} who
     * @param {string} id
     * @param {unknown} body
     * @param {() => T} deed
     * @returns {T}
     */
    once<T>(who: string, id: string, body: unknown, deed: () => T): T;
    /** @param {string} id */
    conversation(id: string): Conversation;
    /** @param {string} agent @param {string} id */
    owned(agent: string, id: string): Conversation;
    /** @param {string} customer @param {{ text?: string, name?: string, metadata?: Record<string, string> }} body */
    start(customer: string, { text, name, metadata }: {
        text?: string;
        name?: string;
        metadata?: Record<string, string>;
    }): Conversation;
    /** @param {Conversation} held @param {string} event @param {Record<string, unknown>} data */
    event(held: Conversation, event: string, data: Record<string, unknown>): void;
    /** @param {Conversation} held @param {Message['author']} author @param {string} text @param {unknown} [named] Its files. */
    post(held: Conversation, author: Message['author'], text: string, named?: unknown): {
        number: number;
        at: number;
    };
    /** Offers what waits. */
    pair(): void;
    /** @param {string} name @param {string} status @param {string[]} [channels] */
    setStatus(name: string, status: string, channels?: string[]): {};
    /** @param {string} name @param {string} id */
    offered(name: string, id: string): Offer;
    /** @param {string} name @param {string} id */
    delivered(name: string, id: string): {};
    /** @param {string} name @param {string} id */
    accept(name: string, id: string): {
        conversation: string;
    };
    /** @param {string} name @param {string} id @param {string} reason */
    reject(name: string, id: string, reason: string): {};
    /** @param {Conversation} held @param {'agent' | 'customer'} by */
    close(held: Conversation, by: 'agent' | 'customer'): {};
    /** @param {Conversation} held @param {'agent' | 'customer'} reader @param {number} number */
    read(held: Conversation, reader: 'agent' | 'customer', number: number): {};
    /** @param {string} name @param {Conversation} held @param {string} text */
    note(name: string, held: Conversation, text: string): {
        note: number;
        at: number;
    };
    /** A conversation as its agent sees it. @param {Conversation} held */
    seen(held: Conversation): {
        channel: string;
        queue: string;
        priority: number;
        skills: never[];
        known: boolean;
        wrap_up_left_ms: number;
        opened_at: number;
        waiting_since: number;
        conversation: string;
        state: "active" | "closed" | "offered" | "waiting";
        customer: string;
        name: string | null;
        metadata: Record<string, string>;
        owner: string | null;
        last_number: number;
        read_by_agent: number;
        read_by_customer: number;
    };
    /** @param {Offer} offer */
    offerSeen({ id, conversation, delivered }: Offer): {
        offer: string;
        conversation: {
            channel: string;
            queue: string;
            priority: number;
            skills: never[];
            known: boolean;
            wrap_up_left_ms: number;
            opened_at: number;
            waiting_since: number;
            conversation: string;
            state: "active" | "closed" | "offered" | "waiting";
            customer: string;
            name: string | null;
            metadata: Record<string, string>;
            owner: string | null;
            last_number: number;
            read_by_agent: number;
            read_by_customer: number;
        };
        left_ms: number;
        delivered: boolean;
        deliver_left_ms: number;
    };
    /** All that is an agent's own. @param {string} name */
    own(name: string): {
        offers: {
            offer: string;
            conversation: {
                channel: string;
                queue: string;
                priority: number;
                skills: never[];
                known: boolean;
                wrap_up_left_ms: number;
                opened_at: number;
                waiting_since: number;
                conversation: string;
                state: "active" | "closed" | "offered" | "waiting";
                customer: string;
                name: string | null;
                metadata: Record<string, string>;
                owner: string | null;
                last_number: number;
                read_by_agent: number;
                read_by_customer: number;
            };
            left_ms: number;
            delivered: boolean;
            deliver_left_ms: number;
        }[];
        conversations: {
            channel: string;
            queue: string;
            priority: number;
            skills: never[];
            known: boolean;
            wrap_up_left_ms: number;
            opened_at: number;
            waiting_since: number;
            conversation: string;
            state: "active" | "closed" | "offered" | "waiting";
            customer: string;
            name: string | null;
            metadata: Record<string, string>;
            owner: string | null;
            last_number: number;
            read_by_agent: number;
            read_by_customer: number;
        }[];
    };
    /** @param {Conversation} held */
    stateEvent(held: Conversation): {
        event: string;
        data: {
            state: "active" | "closed" | "waiting";
            agent?: {
                title: string;
            } | undefined;
            agent_connection?: string | undefined;
        };
    };
    /** A conversation as its customer sees it. @param {Conversation} held */
    shown(held: Conversation): {
        place: number;
        rating: {
            score: number;
            at: number;
        };
        conversation: string;
        state: "active" | "closed" | "waiting";
        queue: string;
        agent: {
            title: string;
        } | null;
        last_number: number;
        read_by_agent: number;
        read_by_customer: number;
        opened_at: number;
    } | {
        place: number;
        rating?: undefined;
        conversation: string;
        state: "active" | "closed" | "waiting";
        queue: string;
        agent: {
            title: string;
        } | null;
        last_number: number;
        read_by_agent: number;
        read_by_customer: number;
        opened_at: number;
    } | {
        place?: undefined;
        rating: {
            score: number;
            at: number;
        };
        conversation: string;
        state: "active" | "closed" | "waiting";
        queue: string;
        agent: {
            title: string;
        } | null;
        last_number: number;
        read_by_agent: number;
        read_by_customer: number;
        opened_at: number;
    } | {
        place?: undefined;
        rating?: undefined;
        conversation: string;
        state: "active" | "closed" | "waiting";
        queue: string;
        agent: {
            title: string;
        } | null;
        last_number: number;
        read_by_agent: number;
        read_by_customer: number;
        opened_at: number;
    };
}
/**
 * As the customer sees it.
 * @param {Message} message
 */
export declare function messageSeen({ number, author, text, at, files }: Message): {
    author: string;
    agent: {
        title: string;
    };
    number: number;
    text: string;
    at: number;
    files?: import("./files.js").Attached[] | undefined;
} | {
    agent?: undefined;
    author: string;
    number: number;
    text: string;
    at: number;
    files?: import("./files.js").Attached[] | undefined;
};
