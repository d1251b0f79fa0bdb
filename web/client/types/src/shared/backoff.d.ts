/**
 * Anywhere from 0 to 1 s, doubling to 30 s.
 * @param {number} attempt From 0: how often it has failed in a row.
 * @param {number} random From 0 to 1.
 */
export declare function fullJitter(attempt: number, random: number): number;
/**
 * Not before it was advised, and not all at once.
 * @param {number} ms
 * @param {number} random
 */
export declare function advisedWithJitter(ms: number, random: number): number;
