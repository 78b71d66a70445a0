"""The report: one HTML file that works offline, in Chinese and English, with interactive charts."""
