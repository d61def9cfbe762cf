export { aggregatorApp } from './aggregator-app.js';
