// SPDX-License-Identifier: Apache-2.0
// Renders hi.ejs with the data on stdin; an option that ejs refuses is an answer.
'use strict'
const fs = require('fs')
const path = require('path')
const ejs = require('ejs')

const data = { name: 'nobody', ...JSON.parse(fs.readFileSync(0, 'utf8')) }
ejs.renderFile(path.join(__dirname, 'hi.ejs'), data, (refusal, text) => {
  console.log(refusal ? `refused ${refusal.name}` : text)
})
