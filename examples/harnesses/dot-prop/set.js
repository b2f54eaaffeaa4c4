// SPDX-License-Identifier: Apache-2.0
// Sets the path on stdin in an empty object, prints the object, and says on descriptor 3 whether every other object changed too.
'use strict'
const fs = require('fs')
const dotProp = require('dot-prop')

const object = {}
dotProp.set(object, fs.readFileSync(0, 'utf8').trim(), true)
console.log(JSON.stringify(object))
fs.writeSync(3, {}.polluted === undefined ? 'clean' : 'polluted')
