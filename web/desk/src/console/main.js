// The console: where an agent works.

import { start } from '../shared/shell.js';
import { consolePage } from './page.js';

void start('Console', consolePage);
