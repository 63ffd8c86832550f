/** A provider that is not built in. docs/own-provider.md explains it line by line. */
import { defineProvider } from 'fastify-rest-auth'

export const spotify = defineProvider({
  label: 'Spotify',
  issuer: 'https://accounts.spotify.com',
  endpoints: {
    authorization: 'https://accounts.spotify.com/authorize',
    token: 'https://accounts.spotify.com/api/token',
    userinfo: 'https://api.spotify.com/v1/me'
  },
  scopes: ['user-read-email'],
  clientAuthentication: 'header',
  async profile ({ get, endpoints }) {
    const { id, email, display_name: name } = Object(await get(endpoints.userinfo ?? ''))
    return {
      subject: id,
      // Spotify's API documentation says that this address is unverified.
      email,
      emailVerified: false,
      fields: { display_name: name }
    }
  }
})
