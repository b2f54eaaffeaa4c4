// SPDX-License-Identifier: Apache-2.0
// Extracts the archive named by the argument and prints the names that appeared beneath /box/root.
'use strict'
const fs = require('fs')
const path = require('path')
const tar = require('tar')

const root = '/box/root'
const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? walk(path.join(folder, entry.name)) : [path.relative(root, path.join(folder, entry.name))])

tar.extract({ file: process.argv[2], cwd: root, sync: true })
console.log(['extracted', ...walk(root).sort()].join(' '))
