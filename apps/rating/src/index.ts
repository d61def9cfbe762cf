export { ratingApp } from './rating-app.js';
