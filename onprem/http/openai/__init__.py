"""What the OpenAI audio API needs: forms, errors, and answers to clients that wait."""
