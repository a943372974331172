# Read by login shells (/etc/profile) and by interactive bash (/etc/bash.bashrc).

# Debian's /etc/profile sets PATH anew; put what the image's ENV had back.
case ":$PATH:" in
*:/workspace/.local/bin:*) ;;
*) PATH=/workspace/.local/bin:/workspace/.npm-global/bin:$PATH ;;
esac
export PATH

# The history is kept in the workspace and written after every command, with
# time stamps, because spaced's audit log reads it from there.
if [ -n "${BASH_VERSION-}" ] && [ -n "${PS1-}" ]; then
	HISTFILE=/workspace/.bash_history
	HISTTIMEFORMAT='%F %T '
	HISTSIZE=10000
	HISTFILESIZE=20000
	shopt -s histappend
	case "${PROMPT_COMMAND-}" in
	*'history -a'*) ;;
	*) PROMPT_COMMAND="history -a${PROMPT_COMMAND:+; $PROMPT_COMMAND}" ;;
	esac
fi
