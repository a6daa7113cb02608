# nabat.bash -- completion of the flags of nabat, nabat-prune and nabat-log, as --help has them
_nabat() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
    case $before in
    --env-file | --explain) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --project) words="list add set disable enable rotate" ;;
    --spool)
        [ "$(basename "${COMP_WORDS[0]}")" != nabat-log ] || { mapfile -t COMPREPLY < <(compgen -d -- "$word"); return; }
        words="list dump refused"
        ;;
    --period) words="24h 7d 30d" ;;
    --severity) words="debug info warning error critical" ;;
    *) words=$("${COMP_WORDS[0]}" --help 2>/dev/null | grep -oE '^  --[a-z-]+') ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _nabat nabat nabat-prune nabat-log
