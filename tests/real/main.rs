//! Tests against real components: see README.md beside this file.
