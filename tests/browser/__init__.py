"""The demo in a real Chromium: what people see, with and without JavaScript, by mouse and by keyboard."""
