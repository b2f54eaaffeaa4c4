// SPDX-License-Identifier: Apache-2.0
// Prints how many escape sequences the text on stdin has.
'use strict'
console.log((require('fs').readFileSync(0, 'utf8').match(require('ansi-regex')()) || []).length)
