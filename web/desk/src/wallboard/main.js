// The wallboard: what a supervisor sees of queues and agents, and does about it.

import { start } from '../shared/shell.js';
import { wallboardPage } from './page.js';

// Each window watches what it shows, so each has a connection of its own.
void start('Wallboard', wallboardPage, { shared: false });
