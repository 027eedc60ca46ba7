package terminalfa

import "errors"

// Errors of reading a frame.
var (
	// ErrNoStart: more than 256 bytes came, or the line ended, without the start marker B6 29.
	ErrNoStart = errors.New("no start of frame")
	// ErrLength: LENGTH is 0 or more than 1024.
	ErrLength = errors.New("impossible frame length")
	// ErrCRC: the check bytes do not fit the frame.
	ErrCRC = errors.New("wrong frame checksum")
)

// Errors of the content of a frame.
var (
	// ErrUnknownCommand: this codec has no layout for the command code.
	ErrUnknownCommand = errors.New("unknown command")
	// ErrDataLength: DATA is shorter than the command's layout, or, in a request, not exactly as long.
	ErrDataLength = errors.New("wrong data length")
	// ErrTLV: a tag's header or value runs past its end.
	ErrTLV = errors.New("malformed TLV")
	// ErrResult: RESULT of a reply is neither 0 nor 1.
	ErrResult = errors.New("impossible result code")
	// ErrTime: date or time bytes that are no moment of any calendar.
	ErrTime = errors.New("impossible date or time")
	// ErrValue: a value the field cannot hold, or a byte without a meaning.
	ErrValue = errors.New("impossible value")
	// ErrTooLong: the value is longer than its field, or DATA than a frame.
	ErrTooLong = errors.New("too long")
	// ErrText: a character that CP866 does not have.
	ErrText = errors.New("character outside CP866")
)
