"""What the lessons measure, count and draw: code that would fill a cell without being the idea of the lesson."""
