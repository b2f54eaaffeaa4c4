// SPDX-License-Identifier: Apache-2.0
// Unpacks the archive named on the command line beneath /box/root and prints the names of its files.
'use strict'
const AdmZip = require('adm-zip')

const archive = new AdmZip(process.argv[2])
try {
  archive.extractAllTo('/box/root/', true)
} catch (refusal) {
  console.log('refused')
}
console.log(archive.getEntries().map((entry) => entry.entryName).join('\n'))
