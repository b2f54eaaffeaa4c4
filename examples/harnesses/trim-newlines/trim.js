// SPDX-License-Identifier: Apache-2.0
// Trims the end of the text on stdin; a long answer is told by its length.
'use strict'
const text = require('trim-newlines').end(require('fs').readFileSync(0, 'utf8'))
console.log(text.length < 100 ? JSON.stringify(text) : text.length)
