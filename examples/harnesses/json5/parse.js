// SPDX-License-Identifier: Apache-2.0
// Parses the document on stdin, prints it, and says on descriptor 3 whether it has a property that is not its own.
'use strict'
const fs = require('fs')
const JSON5 = require('json5')

const parsed = JSON5.parse(fs.readFileSync(0, 'utf8'))
console.log(JSON.stringify(parsed))
fs.writeSync(3, parsed.polluted !== undefined && !Object.hasOwn(parsed, 'polluted') ? 'polluted' : 'clean')
