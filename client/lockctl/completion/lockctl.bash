# Completion of lockctl for bash: commands, options, and keys that are in use, which the server is asked for.
#
# Keys are anybody's text. They are compared and quoted, and never expanded: no eval, no compgen -W.

# What stands behind quotes and backslashes in a word that is still being typed, in $_lockctl_plain; in $_lockctl_quote
# the quote that is open at its end, or nothing.
_lockctl_unquote() {
  local word=$1 i character
  _lockctl_plain= _lockctl_quote=
  for ((i = 0; i < ${#word}; i++)); do
    character=${word:i:1}
    if [[ $_lockctl_quote == "'" ]]; then
      if [[ $character == "'" ]]; then _lockctl_quote=; else _lockctl_plain+=$character; fi
    elif [[ $character == '\' ]]; then
      i=$((i + 1))
      _lockctl_plain+=${word:i:1}
    elif [[ $character == '"' || $character == "'" ]]; then
      if [[ -z $_lockctl_quote ]]; then
        _lockctl_quote=$character
      elif [[ $_lockctl_quote == "$character" ]]; then
        _lockctl_quote=
      else
        _lockctl_plain+=$character
      fi
    else
      _lockctl_plain+=$character
    fi
  done
}

# $1 as it has to be typed behind the open quote $2.
_lockctl_quoted() {
  local text=$1 escaped= i character
  case $2 in
    "'") escaped=${text//\'/\'\\\'\'} ;;
    '"')
      for ((i = 0; i < ${#text}; i++)); do
        character=${text:i:1}
        case $character in
          [\"\$\`\\]) escaped+="\\$character" ;;
          '!') escaped+='"\!"' ;;
          *) escaped+=$character ;;
        esac
      done
      ;;
    *) printf -v escaped %q "$text" ;;
  esac
  printf '%s' "$escaped"
}

# Readline replaces what stands behind the last of these only, as if a word began there: what is ahead of it must not
# be in a reply. The typed word is $1; replies are in COMPREPLY.
_lockctl_cut_replies() {
  [[ $1 == *[:=]* && $COMP_WORDBREAKS == *:* && -z $_lockctl_quote ]] || return 0
  local ahead=${1%"${1##*[:=]}"} i
  for i in "${!COMPREPLY[@]}"; do
    COMPREPLY[i]=${COMPREPLY[i]#"$ahead"}
  done
}

_lockctl_keys() {
  local typed=$1 key
  local -a server=()
  [[ -n $_lockctl_server ]] && server=(--server "$_lockctl_server")
  _lockctl_unquote "$typed"
  while IFS= read -r key; do
    [[ $key == "$_lockctl_plain"* ]] || continue
    COMPREPLY+=("$(_lockctl_quoted "$key" "$_lockctl_quote")")
  done < <(timeout 2 "$_lockctl_program" "${server[@]}" list --keys -- "$_lockctl_plain" 2>/dev/null </dev/null)
  _lockctl_cut_replies "$typed"
}

_lockctl_words() {
  local typed=$1 word
  shift
  for word; do
    [[ $word == "$typed"* ]] && COMPREPLY+=("$word")
  done
}

# The options of a command.
_lockctl_options() {
  local common='--server --connect-timeout --help'
  local lock='--shared --exclusive --nonblock --wait --conflict-exit-code --max'
  case $1 in
    run) echo "$lock --command --kill-after --peer-timeout --name $common" ;;
    get) echo "$lock --peer-timeout --name --json $common" ;;
    inspect) echo "--shared --exclusive --json $common" ;;
    list) echo "--keys --json $common" ;;
    top) echo "--interval --count $common" ;;
    bench) echo "--duration --connections --json $common" ;;
    help) echo "$common" ;;
    '') echo "$common --version" ;;
    *) echo "--json $common" ;;
  esac
}

_lockctl() {
  local commands='run get inspect list who stats ping version top bench help'
  local valued=' --server --connect-timeout -w --wait -E --conflict-exit-code -c --command --max --kill-after --peer-timeout --name -i --interval --count -d --duration -C --connections '
  local _lockctl_program=$1 _lockctl_server= _lockctl_plain= _lockctl_quote= command= key_given= word i
  COMPREPLY=()

  # The words as they were typed: bash has broken them at : and = too.
  local -a words=() starts=() # the latter: where in COMP_WORDS each of them begins
  local glued=
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -n $glued || $word == [:=]* ]] && ((${#words[@]})) && _lockctl_touches "$i"; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
      starts+=("$i")
    fi
    if [[ $word == *[:=] ]]; then glued=1; else glued=; fi
  done
  local current=${words[${#words[@]} - 1]}

  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    word=${words[i]}
    if [[ $word == --server ]]; then
      _lockctl_unquote "${words[i + 1]}"
      _lockctl_server=$_lockctl_plain
    elif [[ $word == --server=* ]]; then
      _lockctl_unquote "${word#*=}"
      _lockctl_server=$_lockctl_plain
    fi
    if [[ $valued == *" $word "* ]]; then
      i=$((i + 1))
      ((i < ${#words[@]} - 1)) || return 0 # its value is being typed
    elif [[ $word == -* ]]; then
      continue
    elif [[ -z $command ]]; then
      command=$word
    else
      key_given=1
      break
    fi
  done

  if [[ $command == run && -n $key_given ]]; then
    _lockctl_command "$i"
  elif [[ $current == -* && -z $key_given ]]; then
    _lockctl_words "$current" $(_lockctl_options "$command")
  elif [[ -z $command || ($command == help && -z $key_given) ]]; then
    _lockctl_words "$current" $commands
  elif [[ -z $key_given && " run get inspect list top " == *" $command "* ]]; then
    _lockctl_keys "$current"
  fi
}

# Whether word $1 stands directly behind the one before it, in the line.
_lockctl_touches() {
  local i line=$COMP_LINE
  for ((i = 0; i < $1; i++)); do
    line=${line#"${line%%[! ]*}"}
    line=${line#"${COMP_WORDS[i]}"}
  done
  [[ $line != ' '* ]]
}

# Behind KEY, at word $1, stands a command with arguments of its own.
_lockctl_command() {
  local offset=$(($1 + 1))
  [[ ${words[offset]-} == -- ]] && offset=$((offset + 1))
  if declare -F _command_offset >/dev/null; then
    _command_offset "${starts[offset]}"
  elif ((offset == ${#words[@]} - 1)); then
    mapfile -t COMPREPLY < <(compgen -c -- "$current")
  else
    compopt -o default 2>/dev/null
  fi
}

complete -F _lockctl lockctl
