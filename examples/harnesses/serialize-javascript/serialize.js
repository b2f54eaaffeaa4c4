// SPDX-License-Identifier: Apache-2.0
// Serializes the regular expression whose source stands on stdin.
'use strict'
const fs = require('fs')
const serialize = require('serialize-javascript')

console.log(serialize({ pattern: new RegExp(fs.readFileSync(0, 'utf8')) }))
