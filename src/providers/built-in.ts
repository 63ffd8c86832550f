/** The built-in providers, by their names in the option `social`. */
import { apple } from './apple.js'
import { discord } from './discord.js'
import { facebook } from './facebook.js'
import { github } from './github.js'
import { gitlab } from './gitlab.js'
import { google } from './google.js'
import { linkedin } from './linkedin.js'
import { microsoft } from './microsoft.js'

export const providers = { google, github, facebook, apple, microsoft, gitlab, discord, linkedin }
