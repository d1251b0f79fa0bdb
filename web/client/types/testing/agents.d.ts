export type WebSocket = import('ws').WebSocket;
export type Desk = import('./desk.js').Desk;
export type Points = import('./mischief.js').Points;
export type Mischief = import('./mischief.js').Mischief;
export declare class AgentSession {
    socket: import("ws").WebSocket;
    desk: import("./desk.js").Desk;
    points: import("./mischief.js").Points;
    who: {
        name: string;
        ticket: string | undefined;
        page: number;
    };
    mute: boolean;
    bad: number;
    /** @type {any[]} What waits behind something that is held. */
    line: any[];
    sending: boolean;
    /**
     * @param {WebSocket} socket
     * @param {Desk} desk
     * @param {Points} points
     * @param {{ name: string, ticket: string | undefined, page: number }} who `page`: how many of its things a snapshot has room for.
     */
    constructor(socket: WebSocket, desk: Desk, points: Points, who: {
        name: string;
        ticket: string | undefined;
        page: number;
    });
    welcome(): void;
    snapshot(): {
        status: string;
        available: boolean;
        channels: string[];
        connection: string;
        cursor: string;
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
    } | {
        status: string;
        available: boolean;
        channels: string[];
        connection: string;
        cursor?: undefined;
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
    /** @param {number} from @param {number} count */
    page(from: number, count: number): {
        cursor: string;
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
    } | {
        cursor?: undefined;
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
    /** @param {any} frame @param {string} [name] */
    send(frame: any, name?: string): void;
    flush(): Promise<void>;
    /** @param {Mischief} mischief */
    goWrong({ what, code, reason }: Mischief): void;
    /** @param {string} text */
    take(text: string): void;
    /** @param {string} type @param {unknown} id @param {any} members @param {boolean} lost */
    answer(type: string, id: unknown, members: any, lost: boolean): void;
    /** @param {string} type @param {string} id @param {any} m @returns {object} */
    obey(type: string, id: string, m: any): object;
}
/**
 * @template {{ number: number }} T
 * @param {T[]} all
 * @param {{ after?: number, before?: number, limit?: number }} asked
 */
export declare function pageOf<T extends {
    number: number;
}>(all: T[], { after, before, limit }: {
    after?: number;
    before?: number;
    limit?: number;
}): {
    messages: T[];
    more: boolean;
};
