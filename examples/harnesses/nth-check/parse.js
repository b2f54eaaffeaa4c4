// SPDX-License-Identifier: Apache-2.0
// Parses the formula on stdin and prints its two numbers; what is none is refused.
'use strict'
const check = require('nth-check')

try {
  console.log(JSON.stringify((check.parse || check.default.parse)(require('fs').readFileSync(0, 'utf8'))))
} catch (refusal) {
  console.log('refused')
}
