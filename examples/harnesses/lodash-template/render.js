// SPDX-License-Identifier: Apache-2.0
// Renders a template whose `variable` option comes from stdin; a name that lodash refuses is an answer.
'use strict'
const fs = require('fs')
const _ = require('lodash')

const variable = fs.readFileSync(0, 'utf8').trim()
try {
  console.log(_.template(`Hi <%= ${/^\w+$/.test(variable) ? variable : 'obj'}.name %>`, { variable })({ name: 'world' }))
} catch (refusal) {
  console.log('refused', refusal.name)
}
