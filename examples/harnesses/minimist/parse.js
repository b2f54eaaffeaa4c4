// SPDX-License-Identifier: Apache-2.0
// Parses the lines on stdin and tells the oracle whether a prototype of the language gained a name.
'use strict'
const fs = require('fs')
const minimist = require('minimist')

const prototypes = [Object, Function, Array, String, Number, Boolean, RegExp].map((type) => type.prototype)
const names = () => prototypes.map((prototype) => Object.getOwnPropertyNames(prototype).length)

const before = names()
const parsed = minimist(fs.readFileSync(0, 'utf8').split('\n'))
const polluted = names().some((count, index) => count !== before[index])
fs.writeSync(3, polluted ? 'polluted' : 'clean')
console.log(JSON.stringify(parsed))
