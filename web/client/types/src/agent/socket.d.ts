export type Environment = import('../shared/environment.js').Environment;
export type Ended = import('./come_back.js').Ended;
export type Open = {
    send: (frame: object) => void;
    /**
     * Nothing more is heard of it, not even its end.
     */
    close: (code?: number) => void;
};
/**
 * @typedef {import('../shared/environment.js').Environment} Environment
 * @typedef {import('./come_back.js').Ended} Ended
 *
 * @typedef {object} Open
 * @property {(frame: object) => void} send
 * @property {(code?: number) => void} close Nothing more is heard of it, not even its end.
 */
/**
 * @param {Pick<Environment, 'WebSocket'>} env
 * @param {{ url: string, token: string, ticket?: string }} to
 * @param {{ frame: (frame: any) => void, ended: (ended: Ended) => void }} heard
 * @returns {Open}
 */
export declare function openSocket(env: Pick<Environment, 'WebSocket'>, { url, token, ticket }: {
    url: string;
    token: string;
    ticket?: string;
}, heard: {
    frame: (frame: any) => void;
    ended: (ended: Ended) => void;
}): Open;
