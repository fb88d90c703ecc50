//go:build !linux

package app

func releaseCode() {}
