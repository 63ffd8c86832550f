import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist', '.tap'] }),
  {
    files: ['examples/*/public/*.js'],
    languageOptions: {
      globals: {
        document: 'readonly', fetch: 'readonly', FormData: 'readonly', history: 'readonly', location: 'readonly'
      }
    }
  },
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true, ignoreRegExpLiterals: true }]
    }
  },
  {
    files: ['**/*.ts'],
    rules: {
      // Names arrive and leave in the contract's snake_case.
      camelcase: 'off',
      // tap runs subtests in order by itself: their promises are not awaited.
      'no-void': ['error', { allowAsStatement: true }]
    }
  }
]
