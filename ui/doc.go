// Package ui is the terminal program. The root routes and nothing else: size,
// global keys, a stack of screens and a stack of overlays. Screens know only
// investigations and sources; everything that does I/O stands behind Backend.
package ui
