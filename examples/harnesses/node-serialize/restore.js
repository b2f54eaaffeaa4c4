// SPDX-License-Identifier: Apache-2.0
// Restores the session on stdin and prints its name.
'use strict'
console.log(require('node-serialize').unserialize(require('fs').readFileSync(0, 'utf8')).name)
