// Package config turns one YAML file, the environment and the command line into one immutable Config.
//
// It owns the names of the keys, their defaults and the rules between them. It must not know what the values are used
// for: it opens no socket and no serial line, and reads no file but the configuration and the tokens beside it. Of ours
// it imports fiscal for words and driver for timeouts, nothing else.
//
// It fails with everything that is wrong at once, one KeyError a line, each "key.path: what is wrong and what is
// allowed", so that nobody has to fix a file one key at a time. An unknown key, a key given twice and a key with no value
// are errors: a misspelt key that is silently ignored is found out at three in the morning.
package config
