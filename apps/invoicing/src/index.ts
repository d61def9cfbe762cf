export { invoicingApp } from './invoicing-app.js';
