// SPDX-License-Identifier: Apache-2.0
// Asks the address on stdin with a cookie that holds the secret and prints the answer.
'use strict'
const fs = require('fs')
const { http } = require('follow-redirects')

const options = Object.assign(new URL(fs.readFileSync(0, 'utf8').trim()), {})
const cookie = 'session=' + fs.readFileSync('/box/secret/canary.txt', 'utf8')
http.get({ protocol: options.protocol, hostname: options.hostname, port: options.port, path: options.pathname, headers: { Cookie: cookie } }, (answer) => {
  answer.setEncoding('utf8')
  let text = ''
  answer.on('data', (part) => { text += part })
  answer.on('end', () => console.log(text))
})
