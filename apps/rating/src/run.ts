import { runService } from '#service';
import { ratingApp } from './rating-app.js';

export const run = (): Promise<number> => runService(ratingApp);
