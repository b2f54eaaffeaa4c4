// SPDX-License-Identifier: Apache-2.0
// Serializes the regular expression whose source stands on stdin; with `evaluated`, evaluates that and prints the source again.
'use strict'
const fs = require('fs')
const vm = require('vm')
const serialize = require('serialize-javascript')

const text = serialize({ pattern: new RegExp(fs.readFileSync(0, 'utf8')) })
console.log(process.argv[2] === 'evaluated' ? vm.runInNewContext(`(${text})`).pattern.source : text)
