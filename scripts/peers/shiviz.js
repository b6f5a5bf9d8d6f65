// Reads a log with ShiViz's own parser, and nothing else of it, and prints the events and the seconds that took.
//
// usage: node shiviz.js FOLDER_OF_SHIVIZ LOG
'use strict';

const fs = require('fs');
const path = require('path');
const vm = require('vm');

const [folder, log] = process.argv.slice(2);
const parts = ['util/exception', 'util/regexp', 'util/util', 'model/vectorTimestamp', 'model/logEvent', 'model/parser'];
const source = parts.map((part) => fs.readFileSync(path.join(folder, 'js', `${part}.js`), 'utf8'));
const context = vm.createContext({ console });
vm.runInContext(source.join('\n'), context);

// The first line is the parser's regular expression, the second one what stands between executions.
const text = fs.readFileSync(log, 'utf8');
const end = text.indexOf('\n');
context.regex = text.slice(0, end);
context.text = text.slice(text.indexOf('\n', end + 1) + 1);
const started = process.hrtime.bigint();
const events = vm.runInContext("new LogParser(text, null, new NamedRegExp(regex, 'm')).getLogEvents('').length", context);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
console.log(JSON.stringify({ events, seconds }));
