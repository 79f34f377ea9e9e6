//! What is told of a sheet.
