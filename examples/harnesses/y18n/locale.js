// SPDX-License-Identifier: Apache-2.0
// Gives the locale on stdin one phrase, prints the phrase, and says on descriptor 3 whether every object got it.
'use strict'
const fs = require('fs')
const y18n = require('y18n')({ directory: '/box/root', updateFiles: false })

y18n.setLocale(fs.readFileSync(0, 'utf8').trim())
y18n.updateLocale({ polluted: 'avast' })
console.log(y18n.__('polluted'))
fs.writeSync(3, {}.polluted === undefined ? 'clean' : 'polluted')
