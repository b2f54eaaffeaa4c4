// SPDX-License-Identifier: Apache-2.0
// Parses the range on stdin and prints its canonical form; what is no range is refused by a TypeError.
'use strict'
const fs = require('fs')
const { Range } = require('semver')

try {
  console.log(new Range(fs.readFileSync(0, 'utf8')).range)
} catch (refusal) {
  console.log('refused', refusal.name)
}
