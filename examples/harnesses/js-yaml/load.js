// SPDX-License-Identifier: Apache-2.0
// Loads the document on stdin and prints it.
'use strict'
try {
  console.log(JSON.stringify(require('js-yaml').load(require('fs').readFileSync(0, 'utf8'))))
} catch (refusal) {
  console.log('refused', refusal.name)
}
